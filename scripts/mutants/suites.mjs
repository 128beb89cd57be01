// The suites that search for the bugs, in this order: first those that the package offers to users, then the unit tests.

/** A fixed seed, so that each run searches the same interleavings. */
const { SEED = '1', RUNS = '2000' } = process.env

export const PRODUCT = [
  { name: 'model paths', files: ['test/model/in-process.test.ts'] },
  { name: 'conformance', files: ['test/conformance/fetch.test.ts'] },
  {
    name: 'interleavings',
    files: ['test/model/interleavings/'],
    env: { SEED, RUNS, PATH_: undefined, REPLAY: undefined },
    /** This suite is one test, so its message is more useful than its title. */
    finding: /^(?:\w*(?:Error|Violation): )*([^\n]+)/,
  },
]

export const UNIT = [{ name: 'unit', files: ['test/core/', 'test/transports/', 'test/environment/'] }]
