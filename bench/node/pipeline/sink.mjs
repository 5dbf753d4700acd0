// The far end, in a process of its own: takes whatever comes, and closes when a client says that it is done.
import { WebSocketServer } from 'ws'

const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
server.on('connection', socket => {
  let audioMessages = 0
  socket.on('message', data => {
    if (data.length > 1_000) audioMessages++
    else if (String(data).includes('closeStream')) {
      process.send({ audioMessages })
      socket.close(1000)
    }
  })
})
server.on('listening', () => process.send({ port: server.address().port }))
process.on('disconnect', () => process.exit())
