// Tests of the limits on open connections of an address and of a network, against a real relay over
// WebSocket with forged X-Forwarded-For headers.

import { describe, expect, it } from 'vitest';
import { Client } from '../support/client.ts';
import { until } from '../support/process.ts';
import { type Settings, startRelay, testConfig } from '../support/relay.ts';

async function started(settings: Settings) {
  const relay = await startRelay(settings);
  const from = (ip: string) => Client.connect(relay.url, { headers: { 'X-Forwarded-For': ip } });
  /** Returns the number of open connections in the metrics of the relay. */
  const open = () => Number(/^wok_connections (\d+)$/m.exec(relay.relay.metricsText())![1]);
  return { relay, from, open };
}

describe('io.connections_per_ip_max', () => {
  it('counts a /64 as one address, however many of its addresses are used', async () => {
    const { relay, from, open } = await started({ 'io.connections_per_ip_max': 2 });
    const first = await from('2001:db8:1:1::1');
    await from('2001:db8:1:1:ffff::2');
    await expect(from('2001:db8:1:1::3')).rejects.toThrow('HTTP 429');
    await expect(from('2001:db8:1:1:8000::')).rejects.toThrow('HTTP 429');
    // The adjacent /64, and an IPv4 address, plain and mapped into IPv6.
    await from('2001:db8:1:2::1');
    await from('192.0.2.1');
    await from('::ffff:192.0.2.1');
    await expect(from('192.0.2.1')).rejects.toThrow('HTTP 429');
    await from('192.0.2.2');
    // A closed connection makes room for another of the same /64.
    await first.close();
    await until(() => open() === 5, 'the end of the first');
    await from('2001:db8:1:1::3');
    await relay.stop();
  });

  it('goes by rates.ipv6_address_bits, from a reload on, too', async () => {
    const settings = { 'io.connections_per_ip_max': 1, 'rates.ipv6_address_bits': 56 };
    const { relay, from } = await started(settings);
    const first = await from('2001:db8:1:100::1');
    await expect(from('2001:db8:1:1ff::1')).rejects.toThrow('HTTP 429');
    await from('2001:db8:1:200::1');
    await relay.relay.reload(
      testConfig(relay.directory, { ...settings, 'rates.ipv6_address_bits': 128 }),
    );
    await from('2001:db8:1:1ff::1');
    // A connection that was counted for a /56 is discounted from it, even after a reload.
    await first.close();
    await relay.relay.reload(testConfig(relay.directory, settings));
    await until(
      () =>
        from('2001:db8:1:100::9').then(
          () => true,
          () => false,
        ),
      'room in the /56',
    );
    await relay.stop();
  });
});

describe('io.connections_per_subnet_max', () => {
  it('is off unless it is configured', async () => {
    const { relay, from } = await started({ 'io.connections_per_ip_max': 1 });
    for (let i = 1; i <= 20; i++) await from(`192.0.2.${i}`);
    await relay.stop();
  });

  it('counts what one network has open, of IPv4 and of IPv6', async () => {
    const { relay, from, open } = await started({
      'io.connections_per_ip_max': 2,
      'io.connections_per_subnet_max': 3,
    });
    const first = await from('192.0.2.1');
    await from('192.0.2.1');
    await from('192.0.2.77');
    await expect(from('192.0.2.200')).rejects.toThrow('HTTP 429');
    await from('192.0.3.1');
    for (const address of ['2001:db8:1:1::1', '2001:db8:1:2::1', '2001:db8:1:ffff::1']) {
      await from(address);
    }
    await expect(from('2001:db8:1:3::1')).rejects.toThrow('HTTP 429');
    await from('2001:db8:2:3::1');
    expect(relay.relay.metricsText()).toMatch(
      /^wok_connections_refused_total\{reason="per_network"\} 2$/m,
    );
    await first.close();
    await until(() => open() === 7, 'the end of the first');
    await from('192.0.2.200');
    await relay.stop();
  });

  it('goes by rates.ipv4_subnet_bits', async () => {
    const { relay, from } = await started({
      'io.connections_per_subnet_max': 1,
      'rates.ipv4_subnet_bits': 16,
    });
    await from('192.0.2.1');
    await expect(from('192.0.99.1')).rejects.toThrow('HTTP 429');
    await from('192.1.2.1');
    await relay.stop();
  });
});
