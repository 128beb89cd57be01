import type { Interceptor } from '@grpc/grpc-js'

export type NextCall = Parameters<Interceptor>[1]
/** A call, as an interceptor sees it. */
export type Call = ReturnType<NextCall>
/** Receives what the server answers. */
export type Listener = Required<NonNullable<Parameters<Call['start']>[1]>>
