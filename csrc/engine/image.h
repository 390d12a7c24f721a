/* The heap image: the engine booted and the program loaded, as that lies in memory, kept in the executable itself.
 *
 * Booting and loading bytecode would be half of a short command's own time. So the build does it once: the executable as
 * linked boots, writes what lies there to a file (--dump-image), and build/image.ts puts that into the executable, where
 * the kernel maps it at the same addresses, like any other data. Everything that boot leaves behind must lie there: the heap
 * and the variables marked IN_IMAGE. Pointers stay right, because a static executable that is not position-independent has
 * all its code and data at fixed addresses; none may lead to the stack (build/image.ts compares two dumps).
 */
#ifndef BERTH_IMAGE_H
#define BERTH_IMAGE_H

/* The linker puts `image` and, two pages above, `imageheap` away from all other sections (build/toolchain.ts). `#` hides
 * what GCC adds: the sections take no room in the file until build/image.ts fills them. */
#define IN_IMAGE __attribute__((section("image,\"aw\",@nobits#")))
#define IN_IMAGE_HEAP __attribute__((section("imageheap,\"aw\",@nobits#"), aligned(4096)))

/* Whether boot is over, in this process or in the one that wrote the image. */
extern int booted;

/* The first byte of the section `image`: the linker makes the name. */
extern const char __start_image[];

/* Writes everything up to `end`, the first unused byte of the heap, to a file; 0, or -errno. */
int write_image(const char *path, const char *end);

#endif
