/* The umask of this process: paths.c sets it aside for moments, so nobody else may ask the kernel for it. */
#ifndef BERTH_UMASK_H
#define BERTH_UMASK_H

#include <sys/types.h>

mode_t process_umask(void);

#endif
