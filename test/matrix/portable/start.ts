/** Runs the portable suite in a runtime with processes: Node, Bun, Deno. The last line of the output is the report. */
import process from 'node:process'
import { run, type TestFiles } from './run.ts'

export async function start(files: TestFiles): Promise<void> {
  const report = await run(files, (line) => console.error(line))
  console.log(JSON.stringify(report))
  process.exit(report.failures.length > 0 ? 1 : 0)
}
