/* A program without libc, which makes two system calls of its own: write and exit_group. */

static long call(long number, long a, long b, long c)
{
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
    return result;
}

void _start(void)
{
    static const char text[] = "bare\n";
    call(1, 1, (long)text, sizeof text - 1);
    for (;;)
        call(231, 7, 0, 0);
}
