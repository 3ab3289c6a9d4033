/** The errors of the maple tree (include/uapi/asm-generic/errno-base.h, Linux 6.1). Functions return them negated. */
export const ENOMEM = 12;
export const EBUSY = 16;
export const EEXIST = 17;
export const EINVAL = 22;
