/** Runs the portable suite in a page, which keeps the report. */
import { run, type TestFiles } from './run.ts'

/** What the tests use of Node: to let all promises settle, and to write tokens. */
const NODE = {
  setImmediate: (run: () => void) => setTimeout(run),
  Buffer: {
    from: (text: string) => ({
      toString: () =>
        btoa(String.fromCharCode(...new TextEncoder().encode(text)))
          .replaceAll('+', '-')
          .replaceAll('/', '_')
          .replaceAll('=', ''),
    }),
  },
}
Object.assign(globalThis, NODE)

export async function start(files: TestFiles): Promise<void> {
  Object.assign(globalThis, { report: await run(files, () => {}) })
}
