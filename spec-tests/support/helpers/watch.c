/* watch FILE: says "watching", and "opened" for each time that somebody opens the file, until it is killed. */
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    char events[4096];
    int fd = inotify_init1(IN_CLOEXEC);
    if (argc < 2 || fd < 0 || inotify_add_watch(fd, argv[1], IN_OPEN) < 0) {
        perror("watch");
        return 1;
    }
    setvbuf(stdout, NULL, _IONBF, 0);
    puts("watching");
    while (read(fd, events, sizeof events) > 0)
        puts("opened");
    return 1;
}
