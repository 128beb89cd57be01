/** A service of Connect for tests, and the transports of its three protocols. */
import { create, createFileRegistry, type DescService } from '@bufbuild/protobuf'
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt'
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from '@connectrpc/connect-node'

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
export const service = createFileRegistry(FILES).getService('test.Echo') as DescService

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

export const TRANSPORTS = {
  Connect: createConnectTransport,
  gRPC: createGrpcTransport,
  'gRPC-web': createGrpcWebTransport,
}
