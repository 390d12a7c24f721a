// Built and run by fuzz.sh.
/* Bytes that are not UTF-8 on their way through JavaScript strings: they come back unchanged, and what is in between is what
 * QuickJS reads. Any bytes at all can be given back, too: a script's string is not ours. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../engine/escape.h"

/* UTF-8, or a lone surrogate of the escape, from start to end. */
static void check_encoding(const unsigned char *p, size_t size)
{
    size_t at = 0;
    while (at < size) {
        size_t valid = utf8_prefix((const char *)p + at, size - at);
        at += valid;
        if (at == size)
            return;
        if (size - at < 3 || p[at] != 0xed || (p[at + 1] != 0xb2 && p[at + 1] != 0xb3) || (p[at + 2] & 0xc0) != 0x80)
            abort();
        at += 3;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Each in an allocation of exactly its size. */
    char *bytes = malloc(size + 1);
    char *escaped = malloc(3 * size + 1);
    if (bytes == NULL || escaped == NULL)
        abort();
    memcpy(bytes, data, size);
    size_t length = escape_bytes(bytes, size, escaped);
    check_encoding((const unsigned char *)escaped, length);
    char *back = malloc(length + 1);
    memcpy(back, escaped, length);
    if (unescape_bytes(back, length) != size || memcmp(back, data, size) != 0)
        abort();
    /* An escape that was there before is three invalid bytes, which are escaped each. */
    if (unescape_bytes(bytes, size) > size)
        abort();
    free(back);
    free(bytes);
    free(escaped);
    return 0;
}
