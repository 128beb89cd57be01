import { type ReplayableBody, readUntilAborted, replayableBody } from '../body.ts'

/** A body, as each sending gets it. */
export interface AxiosBody {
  /** What is sent first. */
  readonly data: unknown
  readonly contentType?: string | undefined
  readonly replayable: boolean
  /** The body of a sending after a wait, if that is another object. */
  again?(): { readonly data: unknown; readonly contentType: string | undefined }
}

/** A form of the form-data package, which axios uses in Node: an old-style stream with its own boundary. */
interface NodeForm {
  getHeaders(): { readonly 'content-type'?: string }
  getBuffer(): unknown
  on(event: string, listener: (value: never) => void): unknown
  resume(): void
  destroy?(): void
  /** The parts. Reading the form removes them. */
  readonly _streams?: unknown
}

/** Whether a body is such a form. */
const isNodeForm = (data: object): data is NodeForm => 'getHeaders' in data && 'getBuffer' in data

/** Whether a body is a form of the platform, or of a package that implements the same interface. */
const isForm = (data: object): data is FormData =>
  'append' in data && Symbol.iterator in data && String(data) === '[object FormData]'

/**
 * Prepares a body that may be sent later or twice. A body that its owner could change is copied at once. The files in a form
 * are not: the platform can read them again.
 *
 * @param encodesForms whether a form becomes its bytes
 */
export function bodyOf(data: object, encodesForms: boolean): AxiosBody {
  if (isNodeForm(data)) return nodeForm(data)
  if (isForm(data) && !encodesForms) return { data: copyForm(data), replayable: true }
  const { body, contentType, replayable } = replayableBody(data, false) as ReplayableBody
  return isForm(data) && body === data
    ? { data: copyForm(data), replayable }
    : { data: body, contentType, replayable }
}

function copyForm(form: FormData): FormData {
  const copy = new (form.constructor as typeof FormData)()
  for (const [name, value] of form)
    if (typeof value === 'string') copy.append(name, value)
    else copy.append(name, value, value.name)
  return copy
}

/** A form whose parts are all in memory can be sent twice: the second time as its bytes. */
function nodeForm(form: NodeForm): AxiosBody {
  const parts: unknown = Array.isArray(form._streams) ? [...form._streams] : undefined
  const inMemory = (part: unknown) =>
    typeof part === 'string' || typeof part === 'function' || part instanceof Uint8Array
  if (!Array.isArray(parts) || !parts.every(inMemory)) return { data: form, replayable: false }
  const copy = Object.create(form, { _streams: { value: parts } }) as NodeForm
  const again = () => ({ data: copy.getBuffer(), contentType: form.getHeaders()['content-type'] })
  return { data: form, replayable: true, again }
}

/** Whether a body can be read into memory, and has to be for a replay. */
export const isStream = (data: object): boolean =>
  isNodeForm(data) ? !nodeForm(data).replayable : 'getReader' in data || 'pipe' in data

/**
 * Reads a stream into memory. The form of the form-data package keeps its boundary.
 *
 * @throws the reason of the signal, at once, or the error of the stream
 */
export async function readBody(stream: object, signal: AbortSignal | undefined): Promise<AxiosBody> {
  const data = isNodeForm(stream)
    ? await readUntilAborted(stream, () => readForm(stream), signal)
    : (await replayableBody(stream, true, signal)).body
  if (!isNodeForm(stream)) return { data, replayable: true }
  const contentType = stream.getHeaders()['content-type']
  return { data, replayable: true, again: () => ({ data, contentType }) }
}

function readForm(form: NodeForm): Promise<ArrayBuffer> {
  return new Promise((resolve, reject) => {
    const chunks: BlobPart[] = []
    form.on('data', (chunk: BlobPart) => chunks.push(chunk))
    form.on('error', reject)
    form.on('end', () => resolve(new Blob(chunks).arrayBuffer()))
    form.resume()
  })
}
