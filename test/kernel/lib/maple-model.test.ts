import { testAgainstModel } from './maple-model.ts';

testAgainstModel('the maple tree against a sorted array');
