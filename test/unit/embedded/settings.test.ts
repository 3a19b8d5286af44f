import { expect, test } from 'vitest';
import { layoutOf } from '../../../src/embedded/layout.ts';
import { settingsText } from '../../../src/embedded/settings.ts';

const layout = layoutOf('/srv/pg');

test('what was asked for comes over the defaults, each setting once', () => {
  const text = settingsText(layout, { shared_buffers: '1GB', log_min_messages: 'error' });
  expect(text).toContain(`shared_buffers = '1GB'\n`);
  expect(text).not.toContain('256MB');
  expect(text).toContain(`log_min_messages = 'error'\n`);
  expect(text).toContain(`wal_level = 'minimal'\n`);
});

test('nobody can make it listen on TCP or elsewhere', () => {
  const text = settingsText(layout, {
    listen_addresses: '*',
    port: '6000',
    unix_socket_directories: '/tmp',
    unix_socket_permissions: '0777',
  });
  expect(text).toContain(`listen_addresses = ''\n`);
  expect(text).toContain(`port = '5432'\n`);
  expect(text).toContain(`unix_socket_directories = '"/srv/pg/socket"'\n`);
  expect(text).toContain(`unix_socket_permissions = '0700'\n`);
});

test('quotes and backslashes stay what they are', () => {
  const text = settingsText(layoutOf(`/srv/o'"x`), { search_path: `it's \\ "a"` });
  expect(text).toContain(`search_path = 'it''s \\\\ "a"'\n`);
  expect(text).toContain(`unix_socket_directories = '"/srv/o''""x/socket"'\n`);
});
