#ifndef FILTER_BPF_H
#define FILTER_BPF_H
static __always_inline int filter_matches(__u32 first, __u32 count, const __u8 *bytes, __u32 valid, __u32 frame_length) { return 1; }
#endif
