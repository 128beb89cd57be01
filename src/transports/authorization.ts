/** Whether a header name is `Authorization`, in any case. The length is compared first, because that is cheap. */
export const isAuthorization = (name: string | undefined): boolean =>
  name?.length === 13 && name.toLowerCase() === 'authorization'
