// A receiver of webhooks that signs again what it parsed, as the documented one
// does with Express and body-parser. It prints its port, then a line for each
// request: the event and the answer. The secret is the body of PUT /secret.
const http = require('http');
const crypto = require('crypto');

let WEBHOOK_SECRET = '';

function receive(req, res) {
  const signature = req.headers['x-klen-signature'];
  const body = JSON.stringify(req.body);

  // Verify signature
  const expectedSignature = crypto
    .createHmac('sha256', WEBHOOK_SECRET)
    .update(body)
    .digest('hex');
  if (signature !== expectedSignature) {
    return res.status(401).send('Invalid signature');
  }
  return res.status(200).send('Webhook received');
}

const server = http.createServer((req, res) => {
  const parts = [];
  req.on('data', (part) => parts.push(part));
  req.on('end', () => {
    const raw = Buffer.concat(parts).toString('utf8');
    if (req.method === 'PUT') {
      WEBHOOK_SECRET = raw;
      return res.end();
    }
    req.body = req.headers['content-type'].startsWith('application/json') ? JSON.parse(raw) : undefined;
    res.status = (code) => { res.statusCode = code; return res; };
    res.send = (text) => {
      const call = req.body && req.body.call;
      console.log(`${req.body && req.body.event_type} ${call ? call.id : '-'} ${res.statusCode}`);
      res.end(text);
    };
    receive(req, res);
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
