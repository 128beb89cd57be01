import { conformWithDPoP } from './conform-with-dpop.ts'
import { kyTransport } from './ky-transport.ts'
import { transports } from './transports.ts'

/** Each transport takes half a minute. CI tries the first one: they share the code that proves. */
const all = [...transports, kyTransport]
const tried = process.env.CI ? all.slice(0, 1) : all

for (const transport of tried) conformWithDPoP(transport)
