// Constants that the build puts in (build/bundle.ts, vitest.config.ts).

/** Whether this is a build for the failure tests; code behind it is dropped from any other. */
declare const FAILPOINTS: boolean;

/** The version of package.json. */
declare const BERTH_VERSION: string;
