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

/** A table of mutants, times, and the tests that found them. */
export const verdicts = (results) =>
  table([
    ['mutant', 'seconds', 'killed by'],
    ...results.map(({ name, seconds: total, killedBy }) => [
      name,
      total.toFixed(1),
      killedBy ? `${killedBy.suite}: ${killedBy.title}` : 'NOT FOUND',
    ]),
  ])

/** A table of mutants and suites, with the time that each suite needed to find the mutant. */
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
