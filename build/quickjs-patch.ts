// Objects of the heap image are never freed, so their reference counts need no keeping: a count that is written makes the
// kernel copy the page that it lies in, and those copies were most of the page faults of a command. What the pinned source
// does where a count changes is changed here, place by place:
//   - nothing in the image is counted down, so it is never freed, and where it matters it is not counted up either
//   - a string or a shape in the image counts as shared: it is never changed in place
// What is written all the same, by every new name and every new shape of an object, are a few tables: JS_EachTable tells
// where they lie, so that their pages can be copied ahead of the first write (csrc/engine/memory.c).
// The cycle collector, which would need exact counts, never runs.
//
// A built-in function is an object only from its first use on; the object that it belongs to is written to then, and a copy
// is made of that one's shape. JS_CompleteObjects makes them all, for the image.

import { IMAGE_START } from "./toolchain.ts";

export interface Edit {
  file: string;
  find: string;
  replace: string;
  /** How often it is there. */
  times: number;
}

const DECLARATIONS = `#include <stdint.h>

/* How many bytes are the image; 0 while there is none. */
extern unsigned long image_span;
#define IN_HEAP_IMAGE(p) ((unsigned long)(p) - ${IMAGE_START}UL < image_span)
`;

const EACH_TABLE = `
void JS_EachTable(JSRuntime *rt, void (*each)(const void *table, size_t size))
{
    each(rt->atom_hash, rt->atom_hash_size * sizeof *rt->atom_hash);
    each(rt->shape_hash, rt->shape_hash_size * sizeof *rt->shape_hash);
    if (rt->atom_free_index != 0)
        each(rt->atom_array + rt->atom_free_index, (rt->atom_size - rt->atom_free_index) * sizeof *rt->atom_array);
}
`;

const COMPLETE_OBJECTS = `
/* What is made here comes behind in the list, and is completed in its turn. A program's own functions are left alone: each
 * would get a prototype. */
int JS_CompleteObjects(JSContext *ctx)
{
    struct list_head *el;
    list_for_each(el, &ctx->rt->gc_obj_list) {
        JSGCObjectHeader *header = list_entry(el, JSGCObjectHeader, link);
        if (header->gc_obj_type != JS_GC_OBJ_TYPE_JS_OBJECT)
            continue;
        JSObject *p = (JSObject *)header;
        for (int i = 0; i < p->shape->prop_count; i++) {
            JSShapeProperty *prs = get_shape_prop(p->shape) + i;
            JSProperty *pr = p->prop + i;
            if ((prs->flags & JS_PROP_TMASK) == JS_PROP_AUTOINIT && js_autoinit_get_id(pr) == JS_AUTOINIT_ID_PROP &&
                JS_AutoInitProperty(ctx, p, prs->atom, pr, prs) < 0)
                return -1;
        }
    }
    return 0;
}
`;

export const EDITS: readonly Edit[] = [
  { file: "quickjs.h", find: "#include <stdint.h>\n", replace: DECLARATIONS, times: 1 },
  {
    file: "quickjs.h",
    find: "void JS_FreeRuntime(JSRuntime *rt);",
    replace: `void JS_FreeRuntime(JSRuntime *rt);
void JS_EachTable(JSRuntime *rt, void (*each)(const void *table, size_t size));
int JS_CompleteObjects(JSContext *ctx);`,
    times: 1,
  },
  {
    file: "quickjs.c",
    find: "\nvoid JS_SetRuntimeInfo(",
    replace: `${EACH_TABLE}\nvoid JS_SetRuntimeInfo(`,
    times: 1,
  },
  {
    file: "quickjs.c",
    find: "\nJSValue JS_GetPropertyInternal(",
    replace: `${COMPLETE_OBJECTS}\nJSValue JS_GetPropertyInternal(`,
    times: 1,
  },
  {
    file: "quickjs.h",
    find: "if (--p->ref_count <= 0)",
    replace: "if (!IN_HEAP_IMAGE(p) && --p->ref_count <= 0)",
    times: 2,
  },
  { file: "quickjs.h", find: "p->ref_count++;", replace: "if (!IN_HEAP_IMAGE(p)) p->ref_count++;", times: 2 },
  {
    file: "quickjs.c",
    find: '#include "quickjs.h"\n',
    replace: '#include "quickjs.h"\n__attribute__((weak)) unsigned long image_span;\n',
    times: 1,
  },
  {
    file: "quickjs.c",
    find: "if (--str->header.ref_count <= 0)",
    replace: "if (!IN_HEAP_IMAGE(str) && --str->header.ref_count <= 0)",
    times: 1,
  },
  // JS_DupAtom, JS_DupAtomRT and the two look-ups.
  {
    file: "quickjs.c",
    find: " p->header.ref_count++;",
    replace: " { if (!IN_HEAP_IMAGE(p)) p->header.ref_count++; }",
    times: 4,
  },
  {
    file: "quickjs.c",
    find: "if (--p->header.ref_count > 0)",
    replace: "if (IN_HEAP_IMAGE(p) || --p->header.ref_count > 0)",
    times: 1,
  },
  {
    file: "quickjs.c",
    find: "if (p1->header.ref_count != 1)",
    replace: "if (IN_HEAP_IMAGE(p1) || p1->header.ref_count != 1)",
    times: 1,
  },
  {
    file: "quickjs.c",
    find: "    sh->header.ref_count++;",
    replace: "    if (!IN_HEAP_IMAGE(sh)) sh->header.ref_count++;",
    times: 1,
  },
  {
    file: "quickjs.c",
    find: "if (unlikely(--sh->header.ref_count <= 0))",
    replace: "if (!IN_HEAP_IMAGE(sh) && unlikely(--sh->header.ref_count <= 0))",
    times: 1,
  },
  {
    file: "quickjs.c",
    find: "if (sh->header.ref_count != 1)",
    replace: "if (IN_HEAP_IMAGE(sh) || sh->header.ref_count != 1)",
    times: 2,
  },
  {
    file: "quickjs.c",
    find: "  var_ref->header.ref_count++;",
    replace: "  { if (!IN_HEAP_IMAGE(var_ref)) var_ref->header.ref_count++; }",
    times: 6,
  },
  {
    file: "quickjs.c",
    find: "if (--var_ref->header.ref_count == 0)",
    replace: "if (!IN_HEAP_IMAGE(var_ref) && --var_ref->header.ref_count == 0)",
    times: 1,
  },
];

/** Throws when the source is not the one that the edits were written for. */
export function edited(file: string, text: string): string {
  let result = text;
  for (const { find, replace, times } of EDITS.filter((edit) => edit.file === file)) {
    const found = result.split(find);
    if (found.length - 1 !== times)
      throw new Error(`${file}: ${found.length - 1} times ${JSON.stringify(find)}, not ${times}`);
    result = found.join(replace);
  }
  return result;
}
