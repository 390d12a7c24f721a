/* Bytes are not strings: how bytes that are not UTF-8 travel through JavaScript strings.
 *
 * Byte b (0x80..0xff) that is no part of valid UTF-8 is the lone surrogate U+DC00 + b, which QuickJS reads and writes as
 * its three-byte encoding ED B2..B3 80..BF. Any byte sequence comes back unchanged. A lone surrogate that stands for no
 * byte has no encoding and leaves as U+FFFD.
 */
#ifndef BERTH_ESCAPE_H
#define BERTH_ESCAPE_H

#include <stddef.h>

/* The length of the longest prefix that is valid UTF-8 (RFC 3629: no surrogates, no overlong forms). */
size_t utf8_prefix(const char *bytes, size_t size);

/* Writes bytes with every invalid one escaped to `out`, which has room for 3 * size; the number of bytes written. */
size_t escape_bytes(const char *bytes, size_t size, char *out);

/* Undoes escape_bytes in place; the new size. */
size_t unescape_bytes(char *bytes, size_t size);

#endif
