/* Whoever clones while a spawn may be under way waits for its end first: they share a stack. */
#ifndef BERTH_SPAWN_H
#define BERTH_SPAWN_H

/* Returns once no thread is cloning any more. */
void spawn_join(void);

#endif
