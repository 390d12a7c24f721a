/* Build tool: compiles chunks to bytecode with the QuickJS that will run them.
 *
 *   compile lines|names [NAME IN OUT]...
 *
 * NAME stands in stack traces. Source text is left out; with `names`, so are file names and line numbers, and only the
 * names of functions stay.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "quickjs.h"

static void fail(const char *what, const char *name)
{
    fprintf(stderr, "compile: %s %s\n", what, name);
    exit(1);
}

static char *read_source(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0)
        fail("cannot read", path);
    long end = ftell(file);
    rewind(file);
    char *text = calloc((size_t)end + 1, 1);
    if (text == NULL || fread(text, 1, (size_t)end, file) != (size_t)end)
        fail("cannot read", path);
    fclose(file);
    *size = (size_t)end;
    return text;
}

static void compile(JSContext *ctx, const char *name, const char *in, const char *out)
{
    size_t size;
    char *source = read_source(in, &size);
    JSValue script = JS_Eval(ctx, source, size, name, JS_EVAL_TYPE_GLOBAL | JS_EVAL_FLAG_COMPILE_ONLY);
    if (JS_IsException(script))
        fail(JS_ToCString(ctx, JS_GetException(ctx)), in);
    size_t length;
    uint8_t *bytes = JS_WriteObject(ctx, &length, script, JS_WRITE_OBJ_BYTECODE);
    FILE *file = fopen(out, "wb");
    if (bytes == NULL || file == NULL || fwrite(bytes, 1, length, file) != length || fclose(file) != 0)
        fail("cannot write", out);
    js_free(ctx, bytes);
    JS_FreeValue(ctx, script);
    free(source);
}

int main(int argc, char **argv)
{
    JSRuntime *runtime = JS_NewRuntime();
    JSContext *ctx = JS_NewContext(runtime);
    int lines = argc > 1 && strcmp(argv[1], "lines") == 0;
    JS_SetStripInfo(runtime, lines ? JS_STRIP_SOURCE : JS_STRIP_DEBUG);
    for (int i = 2; i + 2 < argc; i += 3)
        compile(ctx, argv[i], argv[i + 1], argv[i + 2]);
    JS_FreeContext(ctx);
    JS_FreeRuntime(runtime);
    return 0;
}
