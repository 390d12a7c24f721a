/* renamer A B [A B]...: exchanges each pair again and again, until it is killed. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    for (;;)
        for (int i = 1; i + 1 < argc; i += 2)
            if (renameat2(AT_FDCWD, argv[i], AT_FDCWD, argv[i + 1], RENAME_EXCHANGE) < 0) {
                perror(argv[i]);
                return 1;
            }
}
