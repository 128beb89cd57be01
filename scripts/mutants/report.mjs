const seconds = (value) => `${value.toFixed(1)} s`

function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd(),
  )
}

/** Mutant and time, and who killed it: the last, because it is long. */
export const verdicts = (results) =>
  table([
    ['mutant', 'seconds', 'killed by'],
    ...results.map(({ name, seconds: total, killedBy }) => [
      name,
      total.toFixed(1),
      killedBy ? `${killedBy.suite}: ${killedBy.title}` : 'NOBODY',
    ]),
  ])

/** Which suites find which mutant, and how soon. */
export const matrix = (results, suites) =>
  table([
    ['mutant', ...suites.map(({ name }) => name)],
    ...results.map(({ name, runs }) => [
      name,
      ...suites.map((suite) => {
        const run = runs.find(({ suite: ran }) => ran === suite.name)
        if (!run) return 'not run'
        return run.failure ? `found, ${seconds(run.seconds)}` : '-'
      }),
    ]),
  ])
