/** A service of Connect for tests, over its three protocols. */
import { createServer } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { create, createFileRegistry, type DescMessage, type DescService } from '@bufbuild/protobuf'
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt'
import { type ConnectRouter, createClient, type Interceptor } from '@connectrpc/connect'
import {
  connectNodeAdapter,
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from '@connectrpc/connect-node'
import { onTestFinished } from 'vitest'

const FILES = create(FileDescriptorSetSchema, {
  file: [
    {
      name: 'test.proto',
      package: 'test',
      syntax: 'proto3',
      messageType: [
        {
          name: 'Text',
          field: [
            {
              name: 'text',
              number: 1,
              type: FieldDescriptorProto_Type.STRING,
              label: FieldDescriptorProto_Label.OPTIONAL,
            },
          ],
        },
      ],
      service: [
        {
          name: 'Echo',
          method: [
            { name: 'Echo', inputType: '.test.Text', outputType: '.test.Text' },
            { name: 'List', inputType: '.test.Text', outputType: '.test.Text', serverStreaming: true },
            { name: 'Collect', inputType: '.test.Text', outputType: '.test.Text', clientStreaming: true },
          ],
        },
      ],
    },
  ],
})
const registry = createFileRegistry(FILES)
const service = registry.getService('test.Echo') as DescService
export const TextSchema = registry.getMessage('test.Text') as DescMessage

export interface Text {
  readonly text: string
}
export interface Echo {
  echo(
    message: Text,
    options?: { signal?: AbortSignal; timeoutMs?: number; headers?: HeadersInit },
  ): Promise<Text>
  list(message: Text): AsyncIterable<Text>
  collect(messages: AsyncIterable<Text>): Promise<Text>
}

const TRANSPORTS = {
  Connect: createConnectTransport,
  gRPC: createGrpcTransport,
  'gRPC-web': createGrpcWebTransport,
}

export type Protocol = keyof typeof TRANSPORTS
export const PROTOCOLS = Object.keys(TRANSPORTS) as Protocol[]

/** Serves the methods of the service until the test ends. Returns the address, and how to make a client. */
export async function serveEcho(protocol: Protocol, methods: object) {
  const routes = (router: ConnectRouter) => router.service(service, methods as never)
  const adapter = connectNodeAdapter({ routes })
  const httpVersion = protocol === 'gRPC' ? '2' : '1.1'
  const server = httpVersion === '2' ? createHttp2Server(adapter as never) : createServer(adapter)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const connect = (...interceptors: Interceptor[]) => {
    const transport = TRANSPORTS[protocol]({ baseUrl, httpVersion, interceptors } as never)
    return createClient(service, transport) as unknown as Echo
  }
  return { baseUrl, connect }
}
