/** Error numbers (include/uapi/asm-generic/errno-base.h, Linux 6.1). Functions return them negated. */
export const ENOENT = 2;
export const EINTR = 4;
export const EAGAIN = 11;
export const ENOMEM = 12;
export const EACCES = 13;
export const EFAULT = 14;
export const EBUSY = 16;
export const EEXIST = 17;
export const EINVAL = 22;
export const ERANGE = 34;
/** The system call is to be restarted after the signal. */
export const ERESTARTSYS = 512;
