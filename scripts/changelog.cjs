// How changesets become parts of CHANGELOG.md: as they are written, with links from there.
module.exports = {
  async getReleaseLine({ summary }) {
    const text = summary.replaceAll('](../', '](')
    return text.startsWith('- ') ? text : `- ${text.replaceAll('\n', '\n  ')}`
  },
  getDependencyReleaseLine: async () => '',
}
