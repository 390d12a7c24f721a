/* Failing the nth call: each case in a child, because the environment is read once. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "native.h"
#include "suite.h"

/* The exit status of a child that makes three calls: bit n is set when call n failed with EIO. */
static int failing(const char *variable, const char *value, int *stopped)
{
    pid_t pid = fork();
    if (pid == 0) {
        setenv(variable, value, 1);
        int bits = berth_ids() == -EIO;
        bits |= (berth_getpid() == -EIO) << 1;
        bits |= (berth_ids() == -EIO) << 2;
        _exit(bits);
    }
    int status = 0;
    (void)waitpid(pid, &status, WUNTRACED);
    *stopped = WIFSTOPPED(status);
    if (*stopped) {
        kill(pid, SIGKILL);
        (void)waitpid(pid, &status, 0);
        return -1;
    }
    return WEXITSTATUS(status);
}

void test_failpoint(void)
{
    int stopped;
    EQUAL(failing("BERTH_FAIL_NATIVE", "ids:2:5", &stopped), 4, "the second call of one function fails");
    EQUAL(failing("BERTH_FAIL_NATIVE", "*:2:5", &stopped), 2, "the second call of all functions fails");
    EQUAL(failing("BERTH_FAIL_NATIVE", "ids:3:5", &stopped), 0, "a call that never comes fails nothing");
    EQUAL(failing("BERTH_STOP_NATIVE", "4", &stopped), 0, "a stop that never comes stops nothing");
    EQUAL(failing("BERTH_STOP_NATIVE", "2", &stopped), -1, "the process stops before its second call");
    CHECK(stopped, "by SIGSTOP");
}
