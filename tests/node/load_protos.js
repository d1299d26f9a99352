// Print the services that the three files of the contract define: node load_protos.js DIRECTORY
const loader = require('@grpc/proto-loader');

const files = ['targeting', 'preference', 'profile'].map((name) => `adtargeting/v1/${name}.proto`);
const definitions = loader.loadSync(files, {includeDirs: [process.argv[2]]});
const services = Object.keys(definitions).filter((name) => name.endsWith('Service'));
console.log(services.sort().join(' '));
