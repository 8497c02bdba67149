// server.mjs ENV: smtp-server, with the sink's way of keeping messages.
import fs from 'node:fs';
import path from 'node:path';
import { SMTPServer } from 'smtp-server';

const env = Object.fromEntries(fs.readFileSync(process.argv[2], 'utf8')
    .trim().split('\n').map(line => line.split('=', 2)));
const users = new Map(fs.readFileSync(env.USERS, 'utf8')
    .trim().split('\n').map(line => line.split('\t', 2)));
const refusals = {
    'refused@example.test': [550, '5.1.1 no such person here'],
    'busy@example.test': [550, '5.7.1 not for you'],
    'deferred@example.test': [450, '4.2.1 come back later'],
};

function failure(responseCode, text) {
    return Object.assign(new Error(text), { responseCode });
}

function onAuth(auth, session, done) {
    const password = users.get(auth.username);
    const right = auth.method === 'CRAM-MD5'
        ? password !== undefined && auth.validatePassword(password)
        : auth.method === 'XOAUTH2'
            ? auth.accessToken === 'token-of-' + auth.username
            : password !== undefined && auth.password === password;
    if (right)
        return done(null, { user: auth.username });
    if (auth.method === 'XOAUTH2')
        return done(null, { data: { status: '401', schemes: 'bearer' } });
    done(failure(535, '5.7.8 wrong user or password'));
}

function onRcptTo(address, session, done) {
    const refusal = refusals[address.address];
    done(refusal && failure(...refusal));
}

function keep(data, session, recipient) {
    const local = recipient.address.replace(/@[^@]*$/, '');
    const folder = path.join(env.STORE, encodeURIComponent(local)
        .replace(/%2B/g, '+').replace(/%3D/g, '='));
    fs.mkdirSync(folder, { recursive: true });
    const n = fs.readdirSync(folder).filter(f => f.endsWith('.json')).length;
    const base = path.join(folder, String(n));
    fs.writeFileSync(base + '.eml', data);
    fs.writeFileSync(base + '.new', JSON.stringify({
        server: 'node', sender: session.envelope.mailFrom.address || '',
        sender_parameters: session.envelope.mailFrom.args,
        envelope: session.envelope, recipient: recipient.address }));
    fs.renameSync(base + '.new', base + '.json');
}

function onData(stream, session, done) {
    const parts = [];
    stream.on('data', part => parts.push(part));
    stream.on('end', () => {
        const data = Buffer.concat(parts);
        if (stream.sizeExceeded)
            return done(failure(552, '5.3.4 too large'));
        if (/^Subject: unwanted/m.test(data.subarray(0, 4096)))
            return done(failure(550, '5.7.1 not this one'));
        for (const recipient of session.envelope.rcptTo)
            keep(data, session, recipient);
        done(null, '2.0.0 kept');
    });
}

for (const [port, secure, old] of [[env.NODE_STARTTLS, false, false],
    [env.NODE_TLS, true, false], [env.NODE_7BIT_TLS, true, true]]) {
    const server = new SMTPServer({
        name: 'mail.example.test', secure, onAuth, onRcptTo, onData,
        key: fs.readFileSync(env.CERTS + '/good.key'),
        cert: fs.readFileSync(env.CERTS + '/good.pem'),
        authMethods: ['PLAIN', 'LOGIN', 'CRAM-MD5', 'XOAUTH2'],
        hide8BITMIME: old, hideSMTPUTF8: old,
        hideDSN: false, hideREQUIRETLS: false, size: 60 << 20,
        disableReverseLookup: true, logger: false,
    });
    server.on('error', error => console.error(error));
    server.listen(Number(port), '127.0.0.1');
}
