# Store what is deflated: the size of the window in bits, then a raw deflate stream.
def _inflate(file, data):
    import deflate, uio

    data = deflate.DeflateIO(uio.BytesIO(data[1:]), deflate.RAW, data[0])
    count = 0
    piece = 1
    while piece:
        piece = data.read(2048)
        count += file.write(piece)
    return count
