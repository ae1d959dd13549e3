// Files in deploy/ (Debian package, proxies, container), each tested with its own tools as far as
// they are installed; relays run in their own processes.

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot, version } from '../../src/paths.ts';
import { libc } from '../../src/service/libc.ts';
import { Author } from '../support/author.ts';
import { Client } from '../support/client.ts';
import { ownAddress, WokProcess } from '../support/process.ts';
import { freshDirectory } from '../support/relay.ts';

const deploy = join(packageRoot, 'deploy');
const has = (program: string, ...args: string[]) => spawnSync(program, args).status === 0;

describe.skipIf(!has('dpkg-deb', '--version'))('the Debian package', () => {
  it('is built, has what it needs, and its relay runs', async () => {
    const directory = freshDirectory();
    const built = execFileSync('sh', [join(deploy, 'debian/build.sh'), directory], {
      encoding: 'utf8',
    }).trim();
    const contents = execFileSync('dpkg-deb', ['--contents', built], { encoding: 'utf8' });
    for (const path of [
      './usr/bin/wok -> ../lib/wok/dist/src/wok.js',
      './lib/systemd/system/wok.service',
      './etc/wok/relay.conf',
      './usr/lib/wok/schema.sql',
      './usr/lib/wok/deploy/proxy/nginx.conf',
    ]) {
      expect(contents).toContain(path);
    }
    expect(contents).not.toMatch(/win32|darwin[_-]|node_modules\/(vitest|@biomejs)\//);
    const control = execFileSync('dpkg-deb', ['--field', built], { encoding: 'utf8' });
    expect(control).toContain(`Version: ${version}`);
    const major = process.versions.node.split('.', 1)[0];
    expect(control).toMatch(
      new RegExp(`nodejs \\(>= ${major === '20' ? '20\\.19' : major}~\\), nodejs \\(<< `),
    );
    const root = join(directory, 'root');
    execFileSync('dpkg-deb', ['--extract', built, root]);
    expect(readFileSync(join(root, 'etc/wok/relay.conf'), 'utf8')).toContain('"/var/lib/wok"');
    const wok = join(root, 'usr/bin/wok');
    expect(execFileSync(wok, ['--version'], { encoding: 'utf8' })).toContain(version);
    // The native libraries are among the files that were kept.
    const koffi = join(root, 'usr/lib/wok/node_modules/koffi');
    if (libc()) execFileSync('node', ['-e', `require(${JSON.stringify(koffi)})`]);
    const check = ['config', 'check', '--config', join(root, 'etc/wok/relay.conf')];
    expect(execFileSync(wok, check, { encoding: 'utf8' })).toContain('is valid');
    for (const script of ['postinst', 'prerm', 'postrm']) {
      execFileSync('dpkg-deb', ['--control', built, join(root, 'DEBIAN')]);
      expect(has('sh', '-n', join(root, 'DEBIAN', script))).toBe(true);
    }
  });
});

describe('the proxies', () => {
  it.skipIf(!has('nginx', '-v') || !has('openssl', 'version'))(
    'nginx takes its configuration, and a client behind it is seen with its own address',
    async () => {
      const directory = freshDirectory();
      const [cert, key] = [join(directory, 'relay.crt'), join(directory, 'relay.key')];
      const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
      const rest = ['-nodes', '-subj', '/CN=relay.example', '-keyout', key, '-out', cert];
      execFileSync('openssl', [...request, ...rest], { stdio: 'ignore' });
      const wok = await WokProcess.start({
        'io.connections_per_ip_max': 1,
        'io.trusted_proxies': ['127.0.0.1'],
      });
      const host = ownAddress();
      const port = 20_000 + Math.floor(Math.random() * 10_000);
      const site = readFileSync(join(deploy, 'proxy/nginx.conf'), 'utf8')
        .replaceAll('/etc/wok/certificates', directory)
        .replace('127.0.0.1:7777', new URL(wok.httpUrl).host)
        .replace(/listen 80;\n\s*listen \[::\]:80;/, `listen ${host}:${port + 1};`)
        .replace(/listen 443 ([^;]*);\n\s*listen \[::\]:443 [^;]*;/, `listen ${host}:${port} $1;`);
      const conf = join(directory, 'nginx.conf');
      for (const name of ['body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'])
        mkdirSync(join(directory, name));
      const paths = `client_body_temp_path ${directory}/body; proxy_temp_path ${directory}/proxy; fastcgi_temp_path ${directory}/fastcgi; uwsgi_temp_path ${directory}/uwsgi; scgi_temp_path ${directory}/scgi;`;
      writeFileSync(
        conf,
        `daemon on; pid ${directory}/pid; error_log ${directory}/error.log; events {}\nhttp { access_log off; ${paths}\n${site} }\n`,
      );
      const tested = spawnSync('nginx', ['-t', '-c', conf, '-p', directory], { encoding: 'utf8' });
      expect(tested.stderr).toContain('test is successful');
      expect(tested.stderr).not.toContain('[warn]');
      execFileSync('nginx', ['-c', conf, '-p', directory], { stdio: 'ignore' });
      try {
        const url = `wss://${host}:${port}`;
        const through = (ip: string) =>
          Client.connect(url, {
            rejectUnauthorized: false,
            localAddress: '127.0.0.2',
            headers: { 'X-Forwarded-For': ip },
          });
        const client = await through('9.9.9.9');
        expect((await client.publish(new Author().event()))[2]).toBe(true);
        // An address made up by a client does not count: nginx appends 127.0.0.2, and a second
        // connection from there is refused.
        await expect(through('8.8.8.8')).rejects.toThrow('429');
      } finally {
        process.kill(Number(readFileSync(join(directory, 'pid'), 'utf8')));
      }
    },
  );

  it.skipIf(!has('caddy', 'version'))('Caddy takes its configuration', () => {
    const file = join(deploy, 'proxy/Caddyfile');
    const told = spawnSync('caddy', ['validate', '--adapter', 'caddyfile', '--config', file], {
      encoding: 'utf8',
      env: { ...process.env, RELAY_HOST: 'relay.example', HOME: freshDirectory() },
    });
    expect(told.stdout + told.stderr).toContain('Valid configuration');
  });
});

describe('the container', () => {
  it('copies existing files, runs without privileges, and has a health check', () => {
    const text = readFileSync(join(deploy, 'container/Dockerfile'), 'utf8').replaceAll('\\\n', '');
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const ignore = readFileSync(join(deploy, 'container/Dockerfile.dockerignore'), 'utf8');
    for (const line of lines) {
      const [, from] = /^COPY (?!--from)(.*) \S+$/.exec(line) ?? [];
      for (const source of from?.split(' ') ?? []) {
        expect(has('test', '-e', join(packageRoot, source))).toBe(true);
        expect(ignore).toContain(`!${source.split('/')[0]}`);
      }
    }
    const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM')));
    expect(last.filter((line) => line.startsWith('USER'))).toEqual(['USER wok']);
    expect(last.some((line) => line.startsWith('HEALTHCHECK') || line.includes('/health'))).toBe(
      true,
    );
    expect(lines[0]).toMatch(/^FROM node:20-bookworm /);
  });

  it('is built by steps that work: sources, build, and a healthy relay', async () => {
    // Only the files that the image copies.
    const root = freshDirectory();
    for (const name of [
      'package.json',
      'tsconfig.json',
      'schema.sql',
      'relay.conf',
      'src',
      'workers',
      'bench',
    ]) {
      execFileSync('cp', ['-r', join(packageRoot, name), root]);
    }
    execFileSync('ln', ['-s', join(packageRoot, 'node_modules'), root]);
    execFileSync('npm', ['run', '--silent', 'build'], { cwd: root, stdio: 'ignore' });
    const dockerfile = readFileSync(join(deploy, 'container/Dockerfile'), 'utf8');
    const [, afterwards] = /^RUN npm run build && (chmod \S+ \S+) && npm prune/m.exec(dockerfile)!;
    execFileSync('sh', ['-c', afterwards!], { cwd: root });
    // Through a link and as an executable, like the entry point.
    const link = join(root, 'wok');
    execFileSync('ln', ['-s', join(root, 'dist/src/wok.js'), link]);
    expect(execFileSync(link, ['--version'], { encoding: 'utf8' })).toContain(version);
    const [, check] = /CMD \["node", "-e", "(.*)"\]/.exec(
      readFileSync(join(deploy, 'container/Dockerfile'), 'utf8'),
    )!;
    const relay = await WokProcess.start();
    const port = new URL(relay.httpUrl).port;
    const run = () =>
      spawnSync('node', ['-e', check!], { env: { ...process.env, WOK_IO__PORT: port } }).status;
    expect(run()).toBe(0);
    await relay.kill();
    expect(run()).toBe(1);
  });
});

describe('the compose file', () => {
  it.skipIf(!has('python3', '-c', 'import yaml'))('names existing files and volumes', () => {
    const file = join(deploy, 'container/compose.yaml');
    const program = `import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))`;
    const compose = JSON.parse(
      execFileSync('python3', ['-c', program, file], { encoding: 'utf8' }),
    );
    expect(Object.keys(compose.services)).toEqual([
      'wok',
      'caddy',
      'nginx',
      'prometheus',
      'grafana',
    ]);
    for (const { volumes, networks } of Object.values(compose.services) as {
      volumes: string[];
      networks: string[];
    }[]) {
      expect(networks).toEqual(['relay']);
      for (const volume of volumes) {
        const [source] = volume.split(':');
        if (!source!.startsWith('.')) expect(Object.keys(compose.volumes)).toContain(source);
        else if (source !== './certificates') {
          expect(has('test', '-e', join(deploy, 'container', source!))).toBe(true);
        }
      }
    }
    const scraped = readFileSync(join(deploy, 'container/prometheus.yml'), 'utf8');
    expect(scraped).toContain('wok:9777');
  });
});
