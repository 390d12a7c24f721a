/* The standalone executable: boots QuickJS with as little as the program needs, hands argv to the entry chunk's
 * `start(native, argv)` and exits with the code that it returns. Nothing is freed: the process ends.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "convert.h"
#include "load.h"
#include "memory.h"
#include "native_glue.h"

static void print(const char *text)
{
    if (text == NULL)
        return;
    ssize_t written = write(STDERR_FILENO, text, strlen(text));
    (void)written; /* there is nobody else to tell */
}

/* An exception that the program did not turn into a message is a bug in it: shown as it is. */
static int uncaught(JSContext *ctx)
{
    JSValue exception = JS_GetException(ctx);
    JSValue stack = JS_GetPropertyStr(ctx, exception, "stack");
    print("berth: internal error: ");
    print(JS_ToCString(ctx, exception));
    print("\n");
    if (JS_IsString(stack))
        print(JS_ToCString(ctx, stack));
    return 1;
}

static JSValue new_arguments(JSContext *ctx, int count, char **items)
{
    JSValue array = JS_NewArray(ctx);
    for (int i = 0; i < count && !JS_IsException(array); i++)
        if (JS_SetPropertyUint32(ctx, array, (uint32_t)i, new_text(ctx, items[i], strlen(items[i]))) < 0)
            return JS_EXCEPTION;
    return array;
}

static int run(JSContext *ctx, int argc, char **argv)
{
    JSValue entry = load_chunk(ctx, 0);
    if (JS_IsException(entry))
        return uncaught(ctx);
    JSValue start = JS_GetPropertyStr(ctx, entry, "start");
    JSValue arguments[] = {native_object(ctx), new_arguments(ctx, argc - 1, argv + 1)};
    JSValue code = JS_Call(ctx, start, JS_UNDEFINED, 2, arguments);
    int32_t status;
    if (JS_IsException(code) || JS_ToInt32(ctx, &status, code) < 0)
        return uncaught(ctx);
    return status;
}

/* AddressSanitizer sees only what malloc hands out. */
static JSRuntime *new_runtime(void)
{
#ifdef __SANITIZE_ADDRESS__
    return JS_NewRuntime();
#else
    return JS_NewRuntime2(&memory_functions, NULL);
#endif
}

int main(int argc, char **argv)
{
    JSRuntime *runtime = new_runtime();
    JSContext *ctx = runtime != NULL ? new_bare_context(runtime) : NULL;
    if (ctx == NULL) {
        print("berth: out of memory\n");
        return 1;
    }
    /* A command is over before collecting cycles would pay; what is not in a cycle is freed by its reference count. */
    JS_SetGCThreshold(runtime, (size_t)-1);
    _exit(run(ctx, argc > 0 ? argc : 1, argv));
}
