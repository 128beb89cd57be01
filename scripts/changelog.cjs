// How changesets become parts of CHANGELOG.md: as they are written.
module.exports = {
  getReleaseLine: async ({ summary }) =>
    summary.startsWith('- ') ? summary : `- ${summary.replaceAll('\n', '\n  ')}`,
  getDependencyReleaseLine: async () => '',
}
