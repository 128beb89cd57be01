/** Runs test files in the current runtime, and reports what happened. */
import { type File, type Suite, startTests, type Task, type VitestRunner } from '@vitest/runner'

/** A test file by its name; imports it. */
export type TestFiles = Readonly<Record<string, () => Promise<unknown>>>

export interface Report {
  readonly passed: number
  /** Files whose tests failed or that could not be loaded, with titles and messages. */
  readonly failures: readonly { readonly title: string; readonly message: string }[]
  /** Titles of skipped tests. */
  readonly skipped: readonly string[]
}

const TIMEOUT = 20_000

function runnerOf(files: TestFiles, report: (line: string) => void): VitestRunner {
  return {
    config: {
      root: '/',
      setupFiles: [],
      name: undefined,
      passWithNoTests: false,
      testNamePattern: undefined,
      allowOnly: false,
      sequence: { seed: 0, hooks: 'stack', setupFiles: 'list' },
      chaiConfig: undefined,
      maxConcurrency: 1,
      testTimeout: TIMEOUT,
      hookTimeout: TIMEOUT,
      retry: 0,
      includeTaskLocation: undefined,
      tags: [],
      tagsFilter: undefined,
      strictTags: true,
    },
    importFile: (path) => files[path.slice(1)]?.(),
    onAfterRunSuite(suite) {
      if ('filepath' in suite) report(`${suite.name}: ${suite.result?.state}`)
    },
  }
}

const titleOf = (task: Task | Suite): string =>
  task.suite && task.suite !== task.file ? `${titleOf(task.suite)} > ${task.name}` : `${task.name}`

function* tasksOf(task: Task): Generator<Task> {
  yield task
  if (task.type === 'suite') for (const child of task.tasks) yield* tasksOf(child)
}

const reportOn = (files: readonly File[]): Report => {
  const tasks = files.flatMap((file) => [...tasksOf(file)])
  const tests = tasks.filter(({ type }) => type === 'test')
  return {
    passed: tests.filter(({ result }) => result?.state === 'pass').length,
    failures: tasks.flatMap((task) =>
      (task.result?.errors ?? []).map((error) => ({
        title: `${task.file.name}: ${titleOf(task)}`,
        message: `${error.message}\n${error.stack ?? ''}`,
      })),
    ),
    skipped: tests.filter(({ mode }) => mode === 'skip' || mode === 'todo').map(titleOf),
  }
}

/**
 * Runs the tests of all files, one after another.
 *
 * @param report receives a line for each file that ends
 */
export async function run(files: TestFiles, report: (line: string) => void): Promise<Report> {
  const names = Object.keys(files).map((name) => `/${name}`)
  return reportOn(await startTests(names, runnerOf(files, report)))
}
