# The numbers are those of https://github.com/dev-sec/linux-baseline. Left out, with the reason:
# os-14 to os-16 (mount options: the image has one file system), os-06 (Ubuntu's own setuid programs),
# sysctl-01 (a Swarm node forwards packets), sysctl-22 to -28 (no IPv6 in the VPC), sysctl-29 (networks load modules).

audited = input('audit')
kernel = input('kernel_parameters')

control 'os-01, os-09' do
  impact 1.0
  title 'No host is trusted'
  %w(/etc/hosts.equiv /root/.rhosts /root/.netrc).each do |name|
    describe file(name) do
      it { should_not exist }
    end
  end
end

control 'os-02, os-03' do
  impact 1.0
  title 'Who may read the accounts'
  describe file('/etc/shadow') do
    it { should be_owned_by 'root' }
    its('group') { should eq 'shadow' }
    it { should_not be_readable.by('other') }
    it { should_not be_executable }
  end
  describe file('/etc/passwd') do
    it { should be_owned_by 'root' }
    it { should_not be_writable.by('group') }
    it { should_not be_writable.by('other') }
  end
  describe passwd do
    its('passwords') { should be_in %w(x *) }
  end
end

control 'os-05' do
  impact 1.0
  title 'login.defs'
  describe login_defs do
    its('UMASK') { should eq '027' }
    its('PASS_MAX_DAYS') { should eq '60' }
    its('PASS_MIN_DAYS') { should eq '7' }
    its('PASS_WARN_AGE') { should eq '7' }
    its('LOGIN_RETRIES') { should eq '5' }
    its('LOGIN_TIMEOUT') { should eq '60' }
  end
end

control 'os-07' do
  impact 1.0
  title 'Every uid and gid is one account and group'
  describe passwd do
    its('uids') { should_not contain_duplicates }
  end
  describe etc_group do
    its('gids') { should_not contain_duplicates }
  end
end

control 'os-10' do
  impact 1.0
  title 'File systems and protocols that nobody needs are not loaded'
  # Ubuntu needs squashfs for snaps, and vfat for EFI.
  describe file('/etc/modprobe.d/dev-sec.conf') do
    %w(cramfs freevxfs jffs2 hfs hfsplus udf af_alg algif_aead algif_hash algif_rng algif_skcipher esp4 esp6 rxrpc).each do |name|
      its('content') { should match(%r{^install #{name} /bin/true$}) }
    end
  end
end

control 'os-13' do
  impact 1.0
  title 'cron is root\'s'
  %w(/etc/crontab /etc/cron.hourly /etc/cron.daily /etc/cron.weekly /etc/cron.monthly /etc/cron.d).each do |name|
    next unless file(name).exist?

    describe file(name) do
      it { should be_owned_by 'root' }
      it { should_not be_readable.by('group') }
      it { should_not be_readable.by('other') }
      it { should_not be_writable.by('other') }
    end
  end
end

control 'package-01 to -06' do
  impact 1.0
  title 'No service of former times'
  %w(inetd xinetd telnetd rsh-server ypserv tftpd).each do |name|
    describe package(name) do
      it { should_not be_installed }
    end
  end
end

control 'package-08' do
  impact 1.0
  title 'The Engine\'s files are watched'
  only_if { audited }
  describe service('auditd') do
    it { should be_running }
  end
  describe file('/etc/audit/rules.d/labswarm.rules') do
    its('content') { should match(%r{^-w /etc/docker -p wa}) }
  end
end

control 'sysctl: network' do
  impact 1.0
  title 'sysctl-02 to -20: packets that lie are not believed'
  {
    'net.ipv4.conf.all.rp_filter' => 1,
    'net.ipv4.conf.default.rp_filter' => 1,
    'net.ipv4.icmp_echo_ignore_broadcasts' => 1,
    'net.ipv4.icmp_ignore_bogus_error_responses' => 1,
    'net.ipv4.conf.all.arp_announce' => 2,
    'net.ipv4.conf.all.arp_ignore' => 1,
    'net.ipv4.conf.all.accept_source_route' => 0,
    'net.ipv4.conf.all.accept_redirects' => 0,
    'net.ipv4.conf.default.accept_redirects' => 0,
    'net.ipv4.conf.all.secure_redirects' => 0,
    'net.ipv4.conf.all.send_redirects' => 0,
    'net.ipv4.conf.all.log_martians' => 1,
    'net.ipv4.tcp_rfc1337' => 1,
    'net.ipv4.tcp_syncookies' => 1,
    'net.ipv6.conf.all.forwarding' => 0,
    'net.ipv6.conf.all.accept_redirects' => 0,
  }.each do |name, value|
    describe kernel_parameter(name) do
      its('value') { should eq value }
    end
  end
end

control 'sysctl: kernel' do
  impact 1.0
  title 'sysctl-30 to -34: the kernel keeps its secrets, and programs theirs'
  only_if { kernel }
  {
    'kernel.sysrq' => 0,
    'kernel.randomize_va_space' => 2,
    'kernel.kptr_restrict' => 2,
    'kernel.dmesg_restrict' => 1,
    'fs.suid_dumpable' => 0,
    'fs.protected_hardlinks' => 1,
    'fs.protected_symlinks' => 1,
  }.each do |name, value|
    describe kernel_parameter(name) do
      its('value') { should eq value }
    end
  end
end
