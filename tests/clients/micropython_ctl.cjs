// Drives micropython-ctl (npm) over WebREPL; prints what it found as one line of JSON.
//
// Arguments: a node_modules folder, the bridge's host, its password.
//
// micropython-ctl loads `serialport` even where it only talks to the network, and `serialport` needs a native
// binding that has to be compiled. Only that one module is replaced, by one that cannot do anything.
const Module = require('module')
const path = require('path')

const [modules, host, password] = process.argv.slice(2)

const load = Module._load
Module._load = function (request, ...rest) {
  return request === 'serialport' ? class NoSerialPort {} : load.call(this, request, ...rest)
}

const { MicroPythonDevice } = require(path.join(modules, 'micropython-ctl'))

async function main () {
  const device = new MicroPythonDevice()
  await device.connectNetwork(host, password)
  const result = { version: await device.getVer() }
  result.sum = await device.runScript('print(sum(range(100)))')
  result.text = await device.runScript("print('green ' * 3)")
  try {
    await device.runScript('1/0')
  } catch (error) {
    result.error = String(error.message || error)
  }
  await device.putFile('/put.txt', Buffer.from('put by micropython-ctl\n'))
  result.file = (await device.getFile('/put.txt')).toString()
  await device.disconnect()

  const stranger = new MicroPythonDevice()
  try {
    await stranger.connectNetwork(host, 'wrong')
    result.stranger = 'let in'
  } catch (error) {
    result.stranger = error.constructor.name
  }
  return result
}

main().then(
  (result) => { console.log('\n' + JSON.stringify(result)); process.exit(0) },
  (error) => { console.error(error); process.exit(1) }
)
