// Who looks for the bugs, in this order. First what the package offers its users, then our unit tests.

/** The same search each time, so that what it found once it finds again. */
const { SEED = '1', RUNS = '2000' } = process.env

export const PRODUCT = [
  { name: 'model paths', files: ['test/model/in-process.test.ts'] },
  { name: 'conformance', files: ['test/conformance/fetch.test.ts'] },
  {
    name: 'interleavings',
    files: ['test/model/interleavings/'],
    env: { SEED, RUNS, PATH_: undefined, REPLAY: undefined },
    /** One test for everything: what it says tells more than its title. */
    finding: /^(?:\w*(?:Error|Violation): )*([^\n]+)/,
  },
]

export const UNIT = [{ name: 'unit', files: ['test/core/', 'test/transports/', 'test/environment/'] }]
