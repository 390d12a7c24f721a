/* The probe as libberth's init image. PROBE is its path. */
    .section .rodata
    .balign 4096
    .globl berth_init_elf, berth_init_elf_end
    .hidden berth_init_elf, berth_init_elf_end
berth_init_elf:
    .incbin PROBE
berth_init_elf_end:
    .section .note.GNU-stack, "", %progbits
