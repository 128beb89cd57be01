/** Replaces `test/support/code-seed.ts`, which reads the code that the bundle does not contain. */
declare const CODE_SEED: number

export const codeSeed = () => CODE_SEED
