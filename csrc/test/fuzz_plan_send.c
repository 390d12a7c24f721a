// Built and run by fuzz.sh.
/* A plan on its way to init: whatever words and strings there are, the bytes are a plan whose header and strings the
 * verifier takes, in a file that nobody can write to, behind as many descriptors as were asked for. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../init/report.h"
#include "../init/verify.h"
#include "native.h"
#include "plan_seal.h"

enum { STRINGS = 64, SLOTS = 96, FDS_MAX = 253 };

struct input {
    const uint32_t *words;
    size_t word_count;
    const char *strings[STRINGS + 1];
    size_t string_count;
    uint32_t fds[SLOTS + 2];
    size_t fd_count;
};

static void check_plan(const struct input *in, const void *bytes, size_t size)
{
    struct plan plan;
    struct plan_error error = {0, ""};
    struct plan_header header;
    memcpy(&header, bytes, sizeof header);
    if (header.size != size || header.word_count != in->word_count || header.string_count != in->string_count ||
        header.inherited != in->fd_count)
        abort();
    /* Hardly any words are ops. Header and strings have to be right whatever they are. */
    static const char *const own[] = {"it ", "its ", "a string ends"};
    if (plan_verify(&plan, bytes, size, &error) < 0)
        for (size_t i = 0; i < sizeof own / sizeof *own; i++)
            if (strncmp(error.reason, own[i], strlen(own[i])) == 0)
                abort();
    const char *at = (const char *)bytes + sizeof header;
    if (in->word_count > 0 && memcmp(at, in->words, in->word_count * sizeof *in->words) != 0)
        abort();
    const char *table = at + in->word_count * sizeof *in->words;
    const char *data = table + in->string_count * sizeof(struct plan_string);
    for (size_t i = 0; i < in->string_count; i++) {
        struct plan_string entry;
        memcpy(&entry, table + i * sizeof entry, sizeof entry);
        if (entry.length != strlen(in->strings[i]) || strcmp(data + entry.offset, in->strings[i]) != 0)
            abort();
    }
}

static void check_file(const struct input *in, int fd)
{
    off_t size = lseek(fd, 0, SEEK_END);
    const int sealed = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    if ((fcntl(fd, F_GET_SEALS) & sealed) != sealed || pwrite(fd, "", 1, 0) >= 0 || ftruncate(fd, 0) == 0)
        abort();
    void *bytes = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        abort();
    check_plan(in, bytes, (size_t)size);
    munmap(bytes, (size_t)size);
}

/* What init gets: the count, the plan file, the other slots. */
static void receive(const struct input *in, int socket)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(FDS_MAX * sizeof(int))];
    struct slots slots;
    struct iovec part = {.iov_base = &slots, .iov_len = sizeof slots};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != sizeof slots || slots.count != in->fd_count)
        abort();
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header == NULL || header->cmsg_len != CMSG_LEN((in->fd_count - 1) * sizeof(int)))
        abort();
    for (size_t i = 0; i < in->fd_count - 1; i++) {
        int fd;
        memcpy(&fd, CMSG_DATA(header) + i * sizeof fd, sizeof fd);
        if (i == 0)
            check_file(in, fd);
        close(fd);
    }
}

/* data: sizes, then words, then strings up to NUL each. */
static int take(struct input *in, const uint8_t *data, size_t size, int null)
{
    if (size < 4)
        return 0;
    in->fd_count = data[0] % (SLOTS + 2);
    in->word_count = data[1] | (size_t)data[2] << 8;
    size_t strings = data[3] % STRINGS;
    data += 4;
    size -= 4;
    if (in->word_count > size / sizeof *in->words)
        in->word_count = size / sizeof *in->words;
    uint32_t *words = malloc(in->word_count * sizeof *words + 1);
    if (words == NULL)
        return 0;
    memcpy(words, data, in->word_count * sizeof *words);
    in->words = words;
    data += in->word_count * sizeof *words;
    size -= in->word_count * sizeof *words;
    for (in->string_count = 0; in->string_count < strings; in->string_count++) {
        size_t length = strnlen((const char *)data, size);
        in->strings[in->string_count] = strndup((const char *)data, length);
        length += length < size;
        data += length;
        size -= length;
    }
    for (size_t i = 0; i < in->fd_count; i++)
        in->fds[i] = (uint32_t)null;
    return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int ends[2] = {-1, -1};
    static int null;
    if (ends[0] < 0) {
        null = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
            abort();
    }
    struct input in = {0};
    if (!take(&in, data, size, null))
        return 0;
    int64_t result =
        berth_send_plan(ends[0], in.words, in.word_count, in.strings, in.string_count, in.fds, in.fd_count, 0);
    if (result != (in.fd_count <= 1 || in.fd_count > SLOTS ? -EINVAL : 0))
        abort();
    if (result == 0)
        receive(&in, ends[1]);
    free((void *)(uintptr_t)in.words);
    for (size_t i = 0; i < in.string_count; i++)
        free((void *)(uintptr_t)in.strings[i]);
    return 0;
}
