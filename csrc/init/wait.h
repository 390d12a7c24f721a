/* A created container waits for hours. What init does not need meanwhile is given back. */
#ifndef BERTH_WAIT_H
#define BERTH_WAIT_H

/* Gives back init's code, the plan between `plan` and `plan_end`, and unused stack; writes STARTED to the pipe, which
 * blocks; the write's result. */
long wait_in_few_pages(int pipe, const void *plan, const void *plan_end);

#endif
