/* The `Native` object of src/host/native.gen.ts; its functions are generated (build/gen-native.ts). */
#ifndef BERTH_NATIVE_GLUE_H
#define BERTH_NATIVE_GLUE_H

#include "quickjs.h"

JSValue native_object(JSContext *ctx);

#endif
