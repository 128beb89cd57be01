/** The twin for browsers: there a request is copied as it is, and its body is not looked at. */
export const isBrowser = (): boolean => true

export const cloneBody = (request: Request): Request | undefined =>
  /^(GET|HEAD)$/.test(request.method) ? undefined : request.clone()

export const withBodyAgain = (_: Request, spare: Request): Request => spare.clone()
