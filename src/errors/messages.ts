// The clauses that engines and scripts know from runc. Each is written once, here; every other clause stands where it is
// thrown, because nobody else uses it.

export const MESSAGE = {
  notExist: "container does not exist",
  exists: "container with given ID already exists",
  notRunning: "container not running",
  notPaused: "container not paused",
  emptyId: "container id cannot be empty",
  invalidId: "invalid container ID format",
  startStopped: "cannot start a container that has stopped",
  startRunning: "cannot start an already running container",
} as const;
