/**
 * Takes the bytes `[from, to)` of a row of COPY … TO, whose last ones they are where `ends`: the server
 * sends each row as a message, which a read of the socket may cut anywhere. The bytes are there until
 * it returns.
 */
export type TakeBytes = (bytes: Buffer, from: number, to: number, ends: boolean) => void;
