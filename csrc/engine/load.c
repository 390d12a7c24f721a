#include "load.h"

#include "chunks.h"
#include "image.h"

#define MAX_CHUNKS 256

/* The parts of the context that exist; a process has one context. */
IN_IMAGE static unsigned present;
/* What each chunk exports; undefined until it is loaded. */
IN_IMAGE static JSValue exported[MAX_CHUNKS];
IN_IMAGE static JSValue require_function;

/* By bit number of chunks.h. */
static void (*const add_intrinsic[])(JSContext *) = {
    JS_AddIntrinsicJSON, JS_AddIntrinsicMapSet, JS_AddIntrinsicTypedArrays, JS_AddIntrinsicRegExp,
    JS_AddIntrinsicDate, JS_AddIntrinsicProxy,  JS_AddIntrinsicWeakRef,     JS_AddIntrinsicStringNormalize,
};

static void provide(JSContext *ctx, unsigned uses)
{
    unsigned missing = uses & ~present;
    present |= uses;
    for (unsigned i = 0; missing >> i != 0; i++)
        if (missing >> i & 1)
            add_intrinsic[i](ctx);
}

static JSValue require(JSContext *ctx, JSValueConst self, int argc, JSValueConst *argv)
{
    (void)self;
    (void)argc;
    int32_t index;
    if (JS_ToInt32(ctx, &index, argv[0]) < 0)
        return JS_EXCEPTION;
    return load_chunk(ctx, index);
}

JSContext *new_bare_context(JSRuntime *runtime)
{
    JSContext *ctx = JS_NewContextRaw(runtime);
    if (ctx == NULL)
        return NULL;
    JS_AddIntrinsicBaseObjects(ctx);
    require_function = JS_NewCFunction(ctx, require, "require", 1);
    for (int i = 0; i < chunk_count; i++)
        exported[i] = JS_UNDEFINED;
    return ctx;
}

/* A chunk is a script whose value is `function (require, exports) {...}`. */
static JSValue run_chunk(JSContext *ctx, const struct chunk *chunk, JSValueConst exports)
{
    provide(ctx, chunk->uses);
    JSValue script = JS_ReadObject(ctx, chunk->start, (size_t)(chunk->end - chunk->start), JS_READ_OBJ_BYTECODE);
    if (JS_IsException(script))
        return script;
    JSValue function = JS_EvalFunction(ctx, script);
    if (JS_IsException(function))
        return function;
    JSValue result = JS_Call(ctx, function, JS_UNDEFINED, 2, (JSValueConst[]){require_function, exports});
    JS_FreeValue(ctx, function);
    return result;
}

JSValue load_chunk(JSContext *ctx, int index)
{
    if (index < 0 || index >= chunk_count || index >= MAX_CHUNKS)
        return JS_ThrowRangeError(ctx, "no chunk %d", index);
    if (!JS_IsUndefined(exported[index]))
        return JS_DupValue(ctx, exported[index]);
    /* Kept before it runs, so that chunks that require each other see what there is, as in CommonJS. */
    exported[index] = JS_NewObject(ctx);
    JSValue result = run_chunk(ctx, &chunks[index], exported[index]);
    if (JS_IsException(result))
        return result;
    JS_FreeValue(ctx, result);
    return JS_DupValue(ctx, exported[index]);
}

int preload_chunks(JSContext *ctx, enum turn turn)
{
    for (int i = 0; i < chunk_count; i++) {
        if (chunks[i].turn != turn)
            continue;
        JSValue exports = load_chunk(ctx, i);
        if (JS_IsException(exports))
            return -1;
        JS_FreeValue(ctx, exports);
    }
    return 0;
}
