/** The REST API with an agent's key, which goes in a header and never in a URL. */
export function createApi(token) {
  return {
    get: (path) => request('GET', path),
    post: (path, body) => request('POST', path, body),
    put: (path) => request('PUT', path),
  };

  async function request(method, path, body) {
    const response = await fetch(`/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error?.message ?? `The gateway answered ${response.status}.`);
    return answer;
  }
}
