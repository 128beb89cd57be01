/** A call that explains something during development: a statement of its own, on one line. */
const CALL = /^[ \t]*(?:if \(\w+\) )?explain\w*\(.*\);?\n/gm

/**
 * Removes the calls of `hints.ts` and `explain.ts`, for builds that explain nothing. A bundler would drop the calls, too, but
 * keep the empty functions.
 */
export function withoutHints() {
  return {
    name: 'without-hints',
    transform(code: string, id: string) {
      return id.endsWith('.ts') ? { code: code.replaceAll(CALL, '\n'), map: null } : null
    },
  }
}
