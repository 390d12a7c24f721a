#include "escape.h"

#include <stdint.h>
#include <string.h>

static int continues(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

/* The length of the valid multi-byte sequence at p, 0 when there is none. */
static size_t sequence(const unsigned char *p, size_t left)
{
    unsigned char lead = p[0];
    if (lead < 0xc2 || lead > 0xf4)
        return 0;
    size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (left < length)
        return 0;
    for (size_t i = 1; i < length; i++)
        if (!continues(p[i]))
            return 0;
    if ((lead == 0xe0 && p[1] < 0xa0) || (lead == 0xf0 && p[1] < 0x90))
        return 0; /* overlong */
    if ((lead == 0xed && p[1] > 0x9f) || (lead == 0xf4 && p[1] > 0x8f))
        return 0; /* surrogate, beyond U+10FFFF */
    return length;
}

size_t utf8_prefix(const char *bytes, size_t size)
{
    const unsigned char *p = (const unsigned char *)bytes;
    size_t at = 0;
    while (at < size) {
        uint64_t eight;
        if (size - at >= sizeof eight) {
            memcpy(&eight, p + at, sizeof eight);
            if ((eight & UINT64_C(0x8080808080808080)) == 0) {
                at += sizeof eight;
                continue;
            }
        }
        size_t length = p[at] < 0x80 ? 1 : sequence(p + at, size - at);
        if (length == 0)
            break;
        at += length;
    }
    return at;
}

size_t escape_bytes(const char *bytes, size_t size, char *out)
{
    size_t written = 0;
    size_t at = 0;
    for (;;) {
        size_t valid = utf8_prefix(bytes + at, size - at);
        memcpy(out + written, bytes + at, valid);
        written += valid;
        at += valid;
        if (at == size)
            return written;
        unsigned char byte = (unsigned char)bytes[at++];
        out[written++] = (char)0xed;
        out[written++] = (char)(0xb0 | (byte >> 6));
        out[written++] = (char)(0x80 | (byte & 0x3f));
    }
}

size_t unescape_bytes(char *bytes, size_t size)
{
    char *found = memchr(bytes, 0xed, size);
    if (found == NULL)
        return size;
    size_t read = (size_t)(found - bytes);
    size_t written = read;
    while (read < size) {
        const unsigned char *p = (const unsigned char *)bytes + read;
        if (p[0] != 0xed || size - read < 3 || p[1] < 0xa0) {
            bytes[written++] = bytes[read++];
            continue;
        }
        read += 3;
        if (p[1] == 0xb2 || p[1] == 0xb3) {
            bytes[written++] = (char)((p[1] & 3) << 6 | (p[2] & 0x3f));
        } else {
            memcpy(bytes + written, "\xef\xbf\xbd", 3);
            written += 3;
        }
    }
    return written;
}
