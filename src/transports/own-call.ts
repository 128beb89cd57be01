/**
 * Marks the options of a request that `refresh`, `signIn` or `revoke` makes by a client of its own session. Clients prepare a
 * request asynchronously, and when it reaches its adapter nothing else shows its caller.
 */
export const OWN_CALL: unique symbol = Symbol('authchart.ownCall')
