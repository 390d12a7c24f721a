/* The standalone executable: boots QuickJS with as little as the program needs, hands argv to the entry chunk's
 * `start(native, argv)` and exits with the code that it returns. Nothing is freed: the process ends.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "convert.h"
#include "image.h"
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

/* What boot leaves: in the image. */
IN_IMAGE static JSRuntime *runtime;
IN_IMAGE static JSContext *context;
IN_IMAGE static JSValue native;
IN_IMAGE static JSValue start;

/* AddressSanitizer sees only what malloc hands out. */
static JSRuntime *new_runtime(void)
{
#ifdef __SANITIZE_ADDRESS__
    return JS_NewRuntime();
#else
    return JS_NewRuntime2(&memory_functions, NULL);
#endif
}

/* The engine, with the entry chunk run. 0, or an exit code when it has said what is wrong. */
static int boot(void)
{
    runtime = new_runtime();
    context = runtime != NULL ? new_bare_context(runtime) : NULL;
    if (context == NULL) {
        print("berth: out of memory\n");
        return 1;
    }
    /* A command is over before collecting cycles would pay; what is not in a cycle is freed by its reference count. */
    JS_SetGCThreshold(runtime, (size_t)-1);
    JSValue entry = load_chunk(context, 0);
    if (JS_IsException(entry))
        return uncaught(context);
    start = JS_GetPropertyStr(context, entry, "start");
    native = native_object(context);
    return 0;
}

/* For the build: loads what commands need and writes the image. Unreachable in an executable that has one. */
static int dump_image(const char *path)
{
    if (preload_chunks(context, PRELOADED_FIRST) < 0 || JS_CompleteObjects(context) < 0)
        return uncaught(context);
    memory_mark();
    if (preload_chunks(context, PRELOADED_LATER) < 0)
        return uncaught(context);
    booted = 1;
    int error = write_image(path, memory_seal());
    if (error < 0)
        print("berth: cannot write the image\n");
    return error < 0;
}

static int run(JSContext *ctx, int argc, char **argv)
{
    JSValue arguments[] = {native, new_arguments(ctx, argc - 1, argv + 1)};
    JSValue code = JS_Call(ctx, start, JS_UNDEFINED, 2, arguments);
    int32_t status;
    if (JS_IsException(code) || JS_ToInt32(ctx, &status, code) < 0)
        return uncaught(ctx);
    return status;
}

/* Only a hint: an id may have such a name, too. */
static int starts_something(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "run") == 0 || strcmp(argv[i], "create") == 0 || strcmp(argv[i], "exec") == 0)
            return 1;
    return 0;
}

int main(int argc, char **argv)
{
    if (!booted) {
        int failed = boot();
        if (failed != 0)
            _exit(failed);
        if (argc == 3 && strcmp(argv[1], "--dump-image") == 0)
            _exit(dump_image(argv[2]));
        booted = 1;
    } else if (starts_something(argc, argv)) {
        memory_prefault(runtime);
    }
    JS_UpdateStackTop(runtime);
    _exit(run(context, argc > 0 ? argc : 1, argv));
}
