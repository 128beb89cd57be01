// Reads and moves the sections of CHANGELOG.md, which is in the format of Keep a Changelog.

const UNRELEASED = /^## Unreleased\n(.*?)(?=^## )/ms

/** What is written under *Unreleased*, without its heading. */
export const unreleased = (changelog) => UNRELEASED.exec(changelog)?.[1]?.trim() ?? ''

/**
 * The version that follows. Before 1.0 a fix raises the last number, and everything else the one in the middle. From 1.0 on,
 * `Removed` raises the first number, and `Added` or `Changed` the one in the middle.
 */
export function nextVersion(changelog, current) {
  const text = unreleased(changelog)
  if (text === '')
    throw new Error('CHANGELOG.md has nothing under Unreleased, so there is nothing to release.')
  const [major = 0, minor = 0, patch = 0] = current.split('.').map(Number)
  const has = (...headings) => headings.some((heading) => text.includes(`### ${heading}`))
  if (major > 0 && has('Removed')) return `${major + 1}.0.0`
  if (has('Added', 'Changed', 'Removed', 'Deprecated')) return `${major}.${minor + 1}.0`
  return `${major}.${minor}.${patch + 1}`
}

/** Moves what is under *Unreleased* to a version. */
export const released = (changelog, version, date) =>
  changelog.replace('## Unreleased\n', `## Unreleased\n\n## ${version} - ${date}\n`)
